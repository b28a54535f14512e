import Testing

@testable import ConclaveStress

@Suite struct StressPlanTests {
  @Test func defaultsAreFine() throws { try StressPlan().check() }

  @Test func sharesAddUp() {
    var plan = StressPlan()
    plan.publishers = 7
    plan.messages = 100
    #expect(plan.shares == [15, 15, 14, 14, 14, 14, 14])
  }

  @Test func limits() {
    let wrong: [(String, WritableKeyPath<StressPlan, Int>, [Int])] = [
      ("publishers", \.publishers, [0, 121]), ("subscribers", \.subscribers, [-1, 61]),
      ("messages", \.messages, [0, 49]), ("payload", \.payloadBytes, [0, 103, 16 << 20]),
      ("batch", \.batch, [0, 65_537]),
    ]
    for (option, field, values) in wrong {
      for value in values {
        var plan = StressPlan()
        plan[keyPath: field] = value
        let error = #expect(throws: StressPlanError.self) { try plan.check() }
        #expect(error?.option == option)
      }
    }
  }
}
