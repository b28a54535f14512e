import BusTesting
import Glibc
import Testing

@testable import ConclaveBus

/// What the child of a fork, in which nothing of the bus may be used, does to its parent's locks:
/// nothing, and it does not keep them either. `conclave-step kill` tries it with lanes and rows.
@Suite struct ForkTests {
  /// Which of the descriptors are open in the child: bit by bit.
  private static func openInChild(_ descriptors: [OwnedDescriptor]) -> Int32 {
    let child = Processes.fork()
    if child == 0 {
      var open: Int32 = 0
      for (index, descriptor) in descriptors.enumerated() {
        descriptor.releaseBytes(0, 1)
        descriptor.unlock()
        if fcntl(descriptor.number, F_GETFD) >= 0 { open |= 1 << index }
      }
      _exit(open)
    }
    var status: Int32 = 0
    guard unsafe waitpid(child, &status, 0) == child, status & 0x7F == 0 else { return -1 }
    return status >> 8 & 0xFF
  }

  @Test func aChildKeepsNoLocks() async {
    await #expect(processExitsWith: .success) {
      let scratch = Scratch()
      let directory = try scratch.directory().open()
      func file(_ name: String, _ holdsLock: Bool) throws -> OwnedDescriptor {
        try TopicFile.open(
          name, in: directory, flags: O_RDWR, create: true, holdsLock: holdsLock
        ).descriptor
      }
      let (plain, locking) = (try file("a", false), try file("b", true))
      #expect(ForkTests.openInChild([plain, locking]) == 1)
      // The numbers are used again.
      do { _ = try file("c", true) }
      let next = try file("d", false)
      #expect(ForkTests.openInChild([plain, locking, next]) == 0b101)
    }
  }

  /// What the child says it gives back, its parent has all the same.
  @Test func aChildGivesNothingBack() async {
    await #expect(processExitsWith: .success) {
      let scratch = Scratch()
      let directory = try scratch.directory()
      let mirror = try MirrorLock(in: directory, segment: "s")
      #expect(try mirror.tryTake())
      let bus = try FileBus(directory: directory)
      let child = Processes.fork()
      if child == 0 {
        mirror.giveBack()
        bus.close()
        _exit(0)
      }
      var status: Int32 = 0
      #expect(unsafe waitpid(child, &status, 0) == child && status == 0)
      let other = try MirrorLock(in: directory, segment: "s")
      #expect(try !other.tryTake())
      #expect(throws: BusError.self) { try FileBus.clean(directory) }
      bus.close()
      mirror.giveBack()
    }
  }

  /// The ring is not mapped in the child; and what is closed there goes on in its parent.
  @Test(arguments: [false, true]) func aChildCanOnlyBeRefused(isMirrored: Bool) async {
    await #expect(processExitsWith: .success) { [isMirrored] in
      let scratch = Scratch()
      let directory = try scratch.directory()
      let mirrored = isMirrored ? try MirroredBus(directory: directory) : nil
      let bus: any MessageBus = try mirrored ?? SharedMemoryBus(directory: directory)
      let subscription = try bus.subscribe("t", options: SubscriptionOptions())
      let durable = try mirrored?.subscribe(durable: "n", to: "t")
      let child = Processes.fork()
      if child == 0 {
        var code: BusError.Code?
        do throws(BusError) { _ = try subscription.poll() } catch { code = error.code }
        durable?.close()
        subscription.cancel()
        bus.close()
        _exit(code == .forked ? 0 : 1)
      }
      var status: Int32 = 0
      #expect(unsafe waitpid(child, &status, 0) == child && status == 0)
      try bus.publish(Message(type: "k", sender: "s", payload: RawJSON("1")), to: Topic("t"))
      guard case .envelope? = try subscription.receive(timeout: .seconds(60)) else {
        Issue.record("nothing came")
        return
      }
      if let durable { #expect(try durable.receive(timeout: .seconds(60)) != nil) }
      durable?.close()
      bus.close()
    }
  }
}
