/// The file's form.
extension BusPolicy {
  /// - Throws: `incompatible` for what is no policy, and says which part: what is not understood
  ///   cannot be kept to.
  public init(json: RawJSON) throws(BusError) {
    guard let members = json.members else { throw .policy("it is not an object") }
    try BusPolicy.checkKeys(members.map(\.key), among: ["version", "rules"], of: "it")
    guard let version = members.first(where: { $0.key == "version" })?.value else {
      throw .policy("it has no \"version\"")
    }
    guard version.bytes == [UInt8(ascii: "1")] else {
      throw .policy("its version is not 1, the only one known here")
    }
    guard let rules = members.first(where: { $0.key == "rules" })?.value.elements else {
      throw .policy("its \"rules\" are not a list")
    }
    self.rules = []
    for (index, rule) in rules.enumerated() {
      self.rules.append(try BusPolicy.rule(rule, "rule \(index + 1)"))
    }
    try checkAgrees()
  }

  private static func rule(_ json: RawJSON, _ name: String) throws(BusError) -> Rule {
    guard let members = json.members else { throw .policy("\(name) is not an object") }
    try checkKeys(members.map(\.key), among: ["prefix", "publish", "subscribe"], of: name)
    guard let text = members.first(where: { $0.key == "prefix" })?.value.string else {
      throw .policy("\(name) has no \"prefix\"")
    }
    guard let prefix = try? TopicPrefix(text) else {
      throw .policy("the prefix \(quotedForError(text)) of \(name) is none")
    }
    return Rule(
      prefix: prefix,
      publish: try list(members.first { $0.key == "publish" }?.value, "\"publish\" of \(name)"),
      subscribe: try list(
        members.first { $0.key == "subscribe" }?.value, "\"subscribe\" of \(name)"))
  }

  private static func list(_ json: RawJSON?, _ name: String) throws(BusError) -> [Who]? {
    guard let json else { return nil }
    guard let elements = json.elements else { throw .policy("\(name) is not a list") }
    var list: [Who] = []
    for element in elements {
      guard let text = element.string, let who = Who(text) else {
        throw .policy(
          "\(name) has \(quotedForError(element.description)), which is none of \"*\", \"owner\", "
            + "\"user:NAME\" and \"group:NAME\"")
      }
      list.append(who)
    }
    return list
  }

  /// A word that is misspelt must not leave a topic open.
  private static func checkKeys(
    _ keys: [String], among known: Set<String>, of name: String
  ) throws(BusError) {
    var seen: Set<String> = []
    for key in keys {
      guard known.contains(key) else {
        throw .policy("\(name) has the unknown member \(quotedForError(key))")
      }
      guard seen.insert(key).inserted else {
        throw .policy("\(name) has \(quotedForError(key)) more than once")
      }
    }
  }

  /// Two rules for the same would leave it to the reader which of them holds.
  private func checkAgrees() throws(BusError) {
    for keyPath in [\Rule.publish, \Rule.subscribe] {
      let prefixes = rules.filter { $0[keyPath: keyPath] != nil }.map(\.prefix.name).sorted()
      for (one, next) in zip(prefixes, prefixes.dropFirst()) where one == next {
        throw .policy("two rules say who may do the same with \(quotedForError(one))")
      }
    }
  }
}

extension BusError {
  static func policy(_ flaw: String) -> BusError {
    BusError(
      .incompatible, "the policy of the bus cannot be used: \(flaw)",
      hint: "correct \(BusPolicy.fileName) in the bus directory, or have its owner do it")
  }
}
