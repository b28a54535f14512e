import Glibc
import Testing

@testable import ConclaveBus

/// Who may publish and subscribe where.
@Suite struct BusPolicyTests {
  private let scratch = Scratch()

  private func policy(_ text: String) throws -> BusPolicy { try BusPolicy(json: RawJSON(text)) }

  private func permit(_ text: String, user: uid_t = 7, groups: Set<gid_t> = [70, 71]) throws
    -> BusPermit
  {
    BusPermit(
      try policy(text), BusPermit.Participant(user: user, groups: groups, isOwner: user == 1))
  }

  private func allows(_ check: () throws -> Void) -> Bool {
    do {
      try check()
      return true
    } catch {
      #expect((error as? BusError)?.code == .permissionDenied)
      return false
    }
  }

  /// All rules over a tree of topics, against the sentence of the documentation said in code.
  @Test func theLongestPrefixThatSpeaksHoldsAlone() throws {
    let names = ["", "a", "a.b", "a.b.c", "ab", "d"]
    let words = [nil, "[]", #"["*"]"#, #"["user:7"]"#, #"["user:8"]"#, #"["group:71"]"#]
    var tried = 0
    for root in words {
      for middle in words {
        for inner in words {
          let said = [("", root), ("a", middle), ("a.b", inner)].compactMap { name, word in
            word.map { #"{"prefix":"\#(name)","publish":\#($0),"subscribe":\#($0)}"# }
          }
          let text = #"{"version":1,"rules":["# + said.joined(separator: ",") + "]}"
          let permit = try permit(text)
          for name in names.dropFirst() {
            let topic = try Topic(name)
            let holding =
              (name == "a.b" || name == "a.b.c" ? inner : nil)
              ?? (name.hasPrefix("a") && name != "ab" ? middle : nil) ?? root
            let expected = holding.map { !["[]", #"["user:8"]"#].contains($0) } ?? true
            #expect(allows { try permit.checkPublish(topic) } == expected, "\(text) \(name)")
            tried += 1
          }
          for name in names {
            let parts = names.filter {
              $0 == name || name.isEmpty || $0.hasPrefix("\(name).")
            }
            let everything = parts.allSatisfy { part in
              part.isEmpty
                ? root.map { !["[]", #"["user:8"]"#].contains($0) } ?? true
                : allows { try permit.checkPublish(Topic(part)) }
            }
            let prefix = try TopicPrefix(name)
            #expect(allows { try permit.checkSubscribe(prefix) } == everything, "\(text) \(name)")
          }
        }
      }
    }
    #expect(tried == 6 * 6 * 6 * 5)
  }

  @Test func publishingAndSubscribingAreApart() throws {
    let permit = try permit(
      #"{"version":1,"rules":[{"prefix":"a","publish":["owner"]},"#
        + #"{"prefix":"a","subscribe":["group:70"]},{"prefix":"a.b","publish":["user:7"]}]}"#)
    #expect(!allows { try permit.checkPublish(Topic("a")) })
    #expect(allows { try permit.checkPublish(Topic("a.b")) })
    #expect(allows { try permit.checkSubscribe(TopicPrefix("a")) })
    #expect(allows { try permit.checkSubscribe(TopicPrefix("")) })
    #expect(allows { try permit.checkPublish(Topic("other")) })
  }

  @Test(arguments: ["07", "+7", "-1", " 7", "4294967295", "4294971301", "a b", ""])
  func whatCannotBeAName(_ name: String) {
    #expect(throws: BusError.self) {
      try permit(#"{"version":1,"rules":[{"prefix":"a","publish":["user:"# + name + #""]}]}"#)
    }
  }

  @Test func whoIsMeant() throws {
    let text =
      #"{"version":1,"rules":[{"prefix":"","publish":["owner","user:root","group:nobodys"]}]}"#
    #expect(allows { try permit(text, user: 1).checkPublish(Topic("t")) })
    #expect(allows { try permit(text, user: 0).checkPublish(Topic("t")) })
    #expect(!allows { try permit(text, user: 7).checkPublish(Topic("t")) })
    #expect(try policy(text).unknownNames == ["group:nobodys"])
    #expect(try policy(#"{"version":1,"rules":[]}"#).unknownNames == [])
  }

  @Test(arguments: [
    "", "[]", "{}", #"{"version":1}"#, #"{"version":2,"rules":[]}"#, #"{"version":1,"rules":{}}"#,
    #"{"version":1,"rules":[],"rules":[]}"#, #"{"version":1,"rules":[],"more":1}"#,
    #"{"version":1,"rules":[7]}"#, #"{"version":1,"rules":[{}]}"#,
    #"{"version":1,"rules":[{"prefix":"a b"}]}"#, #"{"version":1,"rules":[{"prefix":7}]}"#,
    #"{"version":1,"rules":[{"prefix":"a","pubish":[]}]}"#,
    #"{"version":1,"rules":[{"prefix":"a","publish":"*"}]}"#,
    #"{"version":1,"rules":[{"prefix":"a","publish":["alice"]}]}"#,
    #"{"version":1,"rules":[{"prefix":"a","publish":["user:"]}]}"#,
    #"{"version":1,"rules":[{"prefix":"a","publish":[7]}]}"#,
    #"{"version":1,"rules":[{"prefix":"a","publish":[]},{"prefix":"a","publish":["*"]}]}"#,
  ])
  func whatIsNotUnderstoodIsRefused(_ text: String) throws {
    Disk.write("\(try scratch.directory().path)/policy.json", Array(text.utf8))
    let error = #expect(throws: BusError.self) { try scratch.bus() }
    #expect(
      error?.code == .incompatible && error?.hint.isEmpty == false, "\(String(describing: error))")
    #expect(throws: BusError.self) { try SharedMemoryBus(directory: scratch.directory()) }
    #expect(throws: BusError.self) { try MirroredBus(directory: scratch.directory()) }
  }

  /// Every way to speak and to listen, of each transport.
  @Test func allTransportsKeepToIt() throws {
    let directory = try scratch.directory()
    Disk.write(
      "\(directory.path)/policy.json",
      Array(
        #"{"version":1,"rules":[{"prefix":"shut","publish":[],"subscribe":[]}]}"#.utf8))
    let buses: [any MessageBus] = [
      try FileBus(directory: directory), try SharedMemoryBus(directory: directory),
      try MirroredBus(directory: directory),
    ]
    for bus in buses {
      let message = Message(type: "x", sender: "s", payload: try RawJSON("1"))
      let key = try IdempotencyKey("k")
      let keyed = Message(
        type: "x", sender: "s", payload: try RawJSON("1"), idempotencyKey: key)
      for name in ["shut", "shut.in"] {
        let topic = try Topic(name)
        #expect(!allows { try bus.publish(message, to: topic) })
        #expect(!allows { _ = try bus.publisher(topic: topic, sender: "s", type: "x") })
        #expect(!allows { _ = try bus.subscribe(name) })
        if !(bus is SharedMemoryBus) { #expect(!allows { try bus.publish(keyed, to: topic) }) }
      }
      if let bus = bus as? MirroredBus {
        let topic = try Topic("shut")
        #expect(!allows { try bus.publish(message, to: topic, durability: .synced) })
        #expect(!allows { _ = try bus.subscribe(durable: "d", to: "shut") })
        #expect(unsafe access("\(directory.path)/.durable", F_OK) != 0)
        #expect(
          !allows {
            _ = try bus.publisher(topic: topic, sender: "s", type: "x", durability: .synced)
          })
      }
      #expect(!allows { _ = try bus.subscribe("") })
      let heard = try bus.subscribe("open")
      try bus.publish(message, to: Topic("open.door"))
      #expect(try heard.receive(timeout: .seconds(60)) != nil)
      bus.close()
    }
    let files = try FileBus.status(of: directory)
    #expect(files.map(\.topic.name) == ["open.door"])
  }

  /// A policy that anybody else can have written is none.
  @Test func mustBeItsOwners() throws {
    let directory = try scratch.directory()
    let path = "\(directory.path)/policy.json"
    Disk.write(path, Array(#"{"version":1,"rules":[]}"#.utf8))
    #expect(try BusPolicy.read(of: directory)?.rules == [])
    for mode in [0o620, 0o602, 0o666] as [mode_t] {
      #expect(unsafe chmod(path, mode) == 0)
      #expect(!allows { _ = try BusPolicy.read(of: directory) })
    }
    #expect(unsafe chmod(path, 0o644) == 0)
    #expect(unsafe link(path, "\(path).too") == 0)
    #expect(!allows { _ = try BusPolicy.read(of: directory) })
    #expect(unsafe unlink(path) == 0 && symlink("\(path).too", path) == 0)
    #expect(throws: BusError.self) { try BusPolicy.read(of: directory) }
    #expect(unsafe unlink(path) == 0 && mkfifo(path, 0o600) == 0)
    #expect(throws: BusError.self) { try BusPolicy.read(of: directory) }
    #expect(unsafe unlink(path) == 0)
    #expect(try BusPolicy.read(of: directory) == nil)
    guard geteuid() == 0 else { return }
    #expect(unsafe rename("\(path).too", path) == 0 && chown(path, 65_534, 65_534) == 0)
    #expect(!allows { _ = try BusPolicy.read(of: directory) })
  }
}
