import Foundation
import Glibc

/// Root may do everything: what permissions stop is seen by somebody else only.
extension ParallelWorld {
  /// Runs a line of shell, in which `conclave` is the command, in the repository, which from then
  /// on belongs to somebody without rights; as whoever runs the tests, unless that is root.
  func asNobody(_ line: String) throws -> Outcome {
    try write("line.sh", "conclave() { ../conclave \"$@\"; }\n\(line)\n")
    let copy = "[ -e ../conclave ] || cp '\(Tool.path)' ../conclave"
    let start = "env HOME='\(home.path)' /bin/sh ../line.sh"
    guard geteuid() == 0 else { return try Tool.shell("\(copy); \(start)", in: top) }
    return try Tool.shell(
      """
      \(copy); chown -hR 65534:65534 '\(home.path)'
      exec setpriv --reuid=65534 --regid=65534 --clear-groups \(start)
      """, in: top)
  }
}
