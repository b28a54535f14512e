/// Runs a piece of code once for every combination of the choices that it makes: a world small
/// enough to be exhausted needs no luck to find its bug.
///
/// ```swift
/// var world = Exhaustive()
/// while world.next() {
///   let length = world.choose(3)
///   let letters = (0..<length).map { _ in world.choose(2) }  // (), 0, 1, 00, 01, 10, 11
/// }
/// ```
/// After TigerBeetle's `exhaustigen`, an idea of Graydon Hoare's.
public struct Exhaustive: Sendable {
  private struct Choice {
    var value: Int
    var bound: Int
  }

  private var choices: [Choice] = []
  private var made = 0
  private var hasBegun = false

  /// How many worlds were begun.
  public private(set) var count = 0

  public init() {}

  /// Begins the next world; false when all have been.
  public mutating func next() -> Bool {
    defer { made = 0 }
    if hasBegun {
      // The world that ended may have made fewer choices than the one before.
      choices.removeSubrange(made...)
      while let last = choices.last, last.value + 1 == last.bound { choices.removeLast() }
      guard !choices.isEmpty else { return false }
      choices[choices.count - 1].value += 1
    }
    hasBegun = true
    count += 1
    return true
  }

  /// A number in `0..<bound`: in each world another one.
  public mutating func choose(_ bound: Int) -> Int {
    precondition(bound > 0, "there is nothing to choose from")
    defer { made += 1 }
    if made == choices.count { choices.append(Choice(value: 0, bound: bound)) }
    precondition(choices[made].bound == bound, "the code depends on something besides its choices")
    return choices[made].value
  }

  public mutating func choose<T>(of values: [T]) -> T { values[choose(values.count)] }
}
