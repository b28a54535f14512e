import Testing

@testable import ConclaveBus

@Suite struct ChannelKeysTests {
  private func name(_ key: Int) throws -> ChannelKeys.Name {
    ChannelKeys.Name(topic: try Topic("t"), key: try IdempotencyKey("\(key)"))
  }

  @Test func theWindowEnds() throws {
    var keys = ChannelKeys(IdempotencyOptions(window: .seconds(10), capacity: 100))
    let start = ContinuousClock.now
    let other = ChannelKeys.Name(topic: try Topic("u"), key: try IdempotencyKey("1"))
    keys.insert(try name(1), now: start)
    keys.insert(try name(2), now: start.advanced(by: .seconds(5)))
    #expect(try keys.contains(name(1), now: start.advanced(by: .seconds(9))))
    #expect(keys.contains(other, now: start) == false)
    #expect(try !keys.contains(name(1), now: start.advanced(by: .seconds(10))))
    #expect(try keys.contains(name(2), now: start.advanced(by: .seconds(14))))
    #expect(try !keys.contains(name(2), now: start.advanced(by: .seconds(15))))
  }

  @Test func theOldestGoFirst() throws {
    var keys = ChannelKeys(IdempotencyOptions(capacity: 3))
    let now = ContinuousClock.now
    for number in 0..<10 {
      keys.insert(try name(number), now: now)
      for known in 0...number {
        #expect(try keys.contains(name(known), now: now) == (known > number - 3))
      }
    }
  }
}
