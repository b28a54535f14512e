import CShim

extension Timestamp {
  public static func now() -> Timestamp { Timestamp(nanosecondsSinceEpoch: conclave_realtime_ns()) }
}
