import CShim
import Glibc

/// How a subscriber claims its place in a segment, and what it finds out by that.
struct RingClaim {
  /// Whether it goes on where a dead mirror stopped.
  private(set) var isSuccessor = false
  /// The process that is the mirror already, where it has announced itself.
  private(set) var mirror: UInt32?

  /// - Returns: 0, an errno or a code of the shim.
  mutating func make(
    _ raw: UnsafeMutablePointer<conclave_subscriber>, _ view: inout conclave_view,
    _ policy: RingSubscriber.Policy, _ label: String
  ) -> Int32 {
    if policy == .readOnly { return unsafe conclave_subscriber_observe(raw, &view) }
    var label = label
    return label.withUTF8 { label in
      let text = UnsafeRawBufferPointer(label)
      var options = unsafe conclave_subscription(
        timeout_ns: policy.timeoutNanoseconds ?? 0,
        label: text.baseAddress?.assumingMemoryBound(to: CChar.self),
        label_bytes: UInt32(text.count), pid: UInt32(getpid()),
        back_pressure: policy.timeoutNanoseconds == nil ? 0 : 1, unused: 0,
        keep_ns: policy.keepNanoseconds)
      guard unsafe options.keep_ns > 0 else {
        return unsafe conclave_subscriber_join(raw, &view, &options)
      }
      let name = unsafe String(decoding: text, as: UTF8.self)
      return unsafe joinAsMirror(raw, &view, &options, name)
    }
  }

  private mutating func joinAsMirror(
    _ raw: UnsafeMutablePointer<conclave_subscriber>, _ view: inout conclave_view,
    _ options: inout conclave_subscription, _ label: String
  ) -> Int32 {
    let refusal = unsafe conclave_mirror_take(&view)
    guard refusal == 0 else {
      mirror = unsafe RingSnapshot.mirror(labelled: label, &view)
      return refusal
    }
    let mirrored = unsafe conclave_mirror_mirrored(&view)
    var failure = unsafe conclave_subscriber_succeed(raw, &view, &options, mirrored)
    isSuccessor = failure == 0
    if failure == ENOENT { failure = unsafe conclave_subscriber_join(raw, &view, &options) }
    if failure != 0 { unsafe conclave_mirror_give_back(&view) }
    return failure
  }
}
