/// Which of the places of a sweep are tried: all, or every so manieth.
struct SweepSample {
  /// 1 for all places.
  let every: Int

  /// nil when the words are neither none nor `--every N`.
  init?(_ words: ArraySlice<String>) {
    switch (words.count, words.first, words.last.flatMap { Int($0) }) {
    case (0, _, _): every = 1
    case (2, "--every", let count?) where count > 0: every = count
    default: return nil
    }
  }

  /// - Parameter kind: the number of a kind of place. Each kind begins with another place, so that
  ///   of kinds with few places some are tried, too.
  /// - Parameter step: how many places are passed over in any case.
  /// - Parameter body: tries the place of that number, from 1; returns whether there is such a
  ///   place, nil when something was wrong there.
  /// - Returns: how many places were tried; nil when something was wrong.
  func countPlaces(kind: Int, step: Int = 1, _ body: (Int) throws -> Bool?) rethrows -> Int? {
    var (points, place) = (0, 1 + step * (kind % every))
    while true {
      guard let wasMet = try body(place) else { return nil }
      if !wasMet { return points }
      points += 1
      place += step * every
    }
  }

  /// - Parameter body: returns whether it was of use; nil when something was wrong.
  /// - Returns: whether nothing was wrong and more than `least` were of use.
  func count(
    _ what: String, _ places: [Int], least: Int, _ body: (Int) throws -> Bool?
  ) rethrows -> Bool {
    var (points, tried) = (0, 0)
    for index in stride(from: every / 2, to: places.count, by: every) {
      guard let wasMet = try body(places[index]) else { return false }
      tried += 1
      if wasMet { points += 1 }
    }
    print("\(what) at \(points) of \(tried) places")
    return isEnough(points, of: least)
  }

  /// - Parameter least: for all places. Of a sample half of its part will do.
  func isEnough(_ points: Int, of least: Int) -> Bool {
    points * every > (every == 1 ? least : least / 2)
  }
}
