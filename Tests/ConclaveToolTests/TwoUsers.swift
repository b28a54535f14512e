import Foundation

/// Prefixes of commands that run them as somebody else. They need root, whom the tests are run as
/// where this is to be tried.
enum TwoUsers {
  static let asNobody = "setpriv --reuid=65534 --regid=65534 --clear-groups"

  /// A user without a name, of a group without one and perhaps of another.
  static func asUser(_ user: Int, group: Int? = nil) -> String {
    let groups = group.map { "--groups=\($0)" } ?? "--clear-groups"
    return "setpriv --reuid=\(user) --regid=\(user) \(groups)"
  }

  static let areThere: Bool = {
    let root = URL(fileURLWithPath: "/")
    let works = try? Tool.shell("\(asNobody) '\(Tool.path)' --version", in: root)
    return geteuid() == 0 && works?.exit == 0
  }()
}
