/// Different paths as a tree of their parts, so that not every one is compared with every other.
struct PlanPathIndex {
  private struct Node {
    var children: [String: Int] = [:]
    /// The paths whose plain beginning ends here.
    var paths: [Int] = []
  }

  private let paths: [PlanPath]
  private var nodes = [Node()]

  init(_ paths: [PlanPath]) {
    self.paths = paths
    for (index, path) in paths.enumerated() {
      var node = 0
      for part in path.parts.prefix(path.plainCount) {
        if let child = nodes[node].children[part] {
          node = child
        } else {
          nodes[node].children[part] = nodes.count
          node = nodes.count
          nodes.append(Node())
        }
      }
      nodes[node].paths.append(index)
    }
  }

  /// Pairs of indices of paths that may be the same file, or lie in each other. Each pair once.
  ///
  /// Whatever overlaps begins alike, so that the longer plain beginning leads past the shorter one.
  ///
  /// - Complexity: O(parts) for plain paths; patterns are compared with all that begins alike.
  func overlappingPairs() -> [(Int, Int)] {
    var pairs: [(Int, Int)] = []
    for (index, path) in paths.enumerated() {
      var node = 0
      var candidates: [Int] = []
      for part in path.parts.prefix(path.plainCount) {
        candidates += nodes[node].paths
        guard let child = nodes[node].children[part] else { break }
        node = child
      }
      // Those that end at the same place see each other.
      candidates += nodes[node].paths.prefix { $0 < index }
      for other in candidates where path.mayOverlap(paths[other]) { pairs.append((other, index)) }
    }
    return pairs
  }
}
