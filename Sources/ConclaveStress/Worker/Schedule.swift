/// When each message is due under a rate: evenly, the publishers taking turns.
struct Schedule {
  let start: UInt64
  /// Messages a second over all publishers.
  let rate: UInt64
  let publishers: UInt64
  let publisher: UInt64

  /// When the publisher's message with this number, counted from 1, is due (CLOCK_MONOTONIC in
  /// nanoseconds).
  func due(_ number: UInt64) -> UInt64 {
    let turn = (number - 1) * publishers + publisher
    let product = turn.multipliedFullWidth(by: 1_000_000_000)
    return start + rate.dividingFullWidth((product.high % rate, product.low)).quotient
  }
}
