import ConclaveBus
import ConclaveStress
import CShim
import Glibc

let dir = try BusDirectory(opening: "/tmp/t/bus")
let bus = try SharedMemoryBus(directory: dir)
let p = try bus.publisher(topic: Topic("stress"), sender: "p1", type: "s")
let n = 5_000_000
func time(_ name: String, _ body: () throws -> Void) rethrows {
  var best = Double.infinity
  for _ in 0..<5 {
    let t = conclave_monotonic_ns()
    try body()
    best = min(best, Double(conclave_monotonic_ns() - t) / Double(n))
  }
  print(name, best)
}
var writer = PayloadWriter(publisher: 1, length: 256)
var fixed: [UInt8] = []
try writer.withPayload(number: 5, due: 0) { (s: RawSpan) throws(BusError) in fixed = unsafe s.withUnsafeBytes { unsafe Array($0) } }
let raw = try RawJSON(fixed)
var sink: UInt64 = 0
try time("make") { for i in 0..<n { try writer.withPayload(number: UInt64(i), due: 0) { (s: RawSpan) throws(BusError) in sink &+= unsafe s.unsafeLoad(fromByteOffset: 80, as: UInt64.self) } } }
try time("publish RawJSON") { for _ in 0..<n { try p.publish(raw) } }
try time("publish json fixed") { for _ in 0..<n { try unsafe p.publish(json: fixed.span.bytes) } }
try time("make+publish json") { for i in 0..<n { try writer.withPayload(number: UInt64(i), due: 0) { (s: RawSpan) throws(BusError) in try p.publish(json: s) } } }
print(sink & 1)
