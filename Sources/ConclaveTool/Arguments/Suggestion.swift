/// The name that was probably meant by `written`, or nil when none is near: within a third of its
/// letters, and at least two typing mistakes are forgiven.
func closest(to written: String, among names: [String]) -> String? {
  let distances = names.map { (name: $0, distance: editDistance(written, $0)) }
  guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
  // A one-letter option is near to every other one: suggest only what keeps most of the word.
  let limit = min(max(2, written.count / 3), written.count - 2)
  return best.distance <= limit ? best.name : nil
}

/// How many letters must be inserted, removed, replaced or swapped with their neighbour to make
/// `right` of `left`.
func editDistance(_ left: String, _ right: String) -> Int {
  let left = Array(left.utf8)
  let right = Array(right.utf8)
  var beforeLast: [Int] = []
  var last = Array(0...right.count)
  for i in left.indices {
    var row = [i + 1]
    for j in right.indices {
      var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (left[i] == right[j] ? 0 : 1))
      if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
        best = min(best, beforeLast[j - 1] + 1)
      }
      row.append(best)
    }
    beforeLast = last
    last = row
  }
  return last[right.count]
}
