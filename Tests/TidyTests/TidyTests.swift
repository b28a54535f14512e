import Testing

/// The house looks after itself: what reviewers would otherwise have to remember.
@Suite struct TidyTests {
  /// The floors, lowest first; a module imports only from below.
  static let floors = [
    "CShim", "SharedRing", "ConclaveBus", "ConclaveBoard", "ConclaveRunner", "ConclaveConsensus",
    "ConclaveStress",
    "ConclaveTool", "ConclaveMain",
  ]

  /// What else a module in Sources may import. Foundation is not here: it costs every start of the
  /// command some milliseconds.
  static let furniture: Set<String> = ["Glibc", "Synchronization"]

  @Test func theHouseIsFound() {
    #expect(House.files.contains { $0.path == "Package.swift" })
    #expect(House.files.contains { $0.path == "Sources/ConclaveBus/MessageBus.swift" })
    #expect(House.files.contains { $0.path == "Tests/TidyTests/TidyTests.swift" })
  }

  @Test func arrowsPointDown() throws {
    for file in House.files where file.path.hasPrefix("Sources/") && file.isSwift {
      let module = try #require(file.module, "\(file.path) belongs to no module")
      let floor = try #require(Self.floors.firstIndex(of: module), "\(module) has no floor")
      for imported in file.lines.compactMap(importedModule) {
        let isBelow = Self.floors.firstIndex(of: imported).map { $0 < floor } ?? false
        #expect(
          isBelow || Self.furniture.contains(imported), "\(file.path) imports \(imported)")
      }
    }
  }

  /// Replacing the allocator, for a test, cannot be said in Swift; and what is stepped one
  /// instruction at a time, or fuzzed, or run over another memory, must be nothing but what the
  /// shim does.
  @Test func onlyTheShimIsC() {
    for file in House.files where file.isC {
      let rooms = [
        "AllocationCounter", "SteppedClock", "StepTracer", "Fuzz", "MemoryOrders", "Seeds",
      ].map { "Tests/\($0)/" }
      let isAllowed = file.module == "CShim" || rooms.contains { file.path.hasPrefix($0) }
      #expect(isAllowed, "\(file.path) is C outside CShim")
    }
  }

  /// Locks between processes die with their owner; these do not.
  @Test func theShimHasNoLocks() {
    for file in House.files where file.isC {
      for word in ["pthread_mutex", "pthread_cond", "sem_"] {
        #expect(file.places { uses(word, in: $0) } == [])
      }
    }
  }

  @Test func filesAndLinesAreShort() {
    for file in House.files where file.isSwift || file.isC {
      #expect(file.lines.count <= 401, "\(file.path) is too long")
    }
    for file in House.files where file.isSwift {
      #expect(file.places { $0.count > 100 } == [])
    }
  }

  /// Nothing that ends the program where an error could be thrown.
  @Test func nothingIsForced() {
    for file in House.files where file.isSwift && !file.path.hasPrefix("Tests/TidyTests/") {
      for word in ["fatalError(", "try!", "as!"] {
        #expect(file.places { uses(word, in: $0) } == [])
      }
    }
  }

  @Test func uncheckedSendableIsExplained() {
    for file in House.files where file.isSwift && !file.path.hasPrefix("Tests/TidyTests/") {
      for (index, line) in file.lines.enumerated() where line.contains("@unchecked Sendable") {
        let above = index > 0 ? file.lines[index - 1].trimmed : ""
        #expect(above.hasPrefix("//"), "\(file.path):\(index + 1) does not say why it is safe")
      }
    }
  }

  @Test func nothingIsLeftForLater() {
    for file in House.files where !file.path.hasPrefix("Tests/TidyTests/") {
      #expect(file.places { $0.contains("TODO") || $0.contains("FIXME") } == [])
    }
  }

  /// The rooms of the house; a new one is a decision to be written down here.
  @Test func roomsAreWhereTheyBelong() {
    let allowed: Set<String> = [
      "Benchmarks", "CShim", "LICENSE", "Package.resolved", "Package.swift", "README.md", "Sources",
      "Tests",
    ]
    #expect(House.entries(of: "").filter { !allowed.contains($0) } == [])
    #expect(Set(House.entries(of: "Sources")).isSubset(of: Self.floors))
    for room in House.entries(of: "Tests") {
      let helpers = [
        "AllocationCounter", "BusTesting", "ConclaveStep", "ConclaveStorm", "Fuzz", "Litmus",
        "MemoryOrders", "Models", "Seeds", "StepTracer", "SteppedClock",
      ]
      let isHelper = helpers.contains(room)
      #expect(isHelper || room.hasSuffix("Tests"), "Tests/\(room) is no room")
    }
  }
}

/// The module that a line imports, whatever stands before `import`.
private func importedModule(_ line: Substring) -> String? {
  let words = line.split(separator: " ")
  guard let index = words.firstIndex(of: "import"), index + 1 < words.count,
    words[..<index].allSatisfy({
      ["public", "package", "internal", "private"].contains($0) || $0.hasPrefix("@")
    })
  else { return nil }
  let kinds: Set<Substring> = [
    "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
  ]
  let name = kinds.contains(words[index + 1]) ? words[index + 2] : words[index + 1]
  return name.split(separator: ".").first.map(String.init)
}

/// Whether `word` stands in code, not in a comment, and not as the tail of a longer word.
private func uses(_ word: String, in line: Substring) -> Bool {
  let code = line.trimmed.hasPrefix("//") || line.trimmed.hasPrefix("*") ? "" : line
  return code.ranges(of: word).contains { range in
    guard range.lowerBound > code.startIndex else { return true }
    let before = code[code.index(before: range.lowerBound)]
    return !before.isLetter && !before.isNumber && before != "_"
  }
}

extension Substring {
  fileprivate var trimmed: Substring { drop { $0 == " " } }
}
