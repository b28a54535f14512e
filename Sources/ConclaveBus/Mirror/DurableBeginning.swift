extension MirroredReading {
  /// Where a durable subscription begins.
  struct DurableBeginning {
    /// Where its own dead letters go, which it passes over.
    var deadLetters: Topic
    /// What its members have decided.
    var place: (DurableLog) throws(BusError) -> UInt64
  }
}
