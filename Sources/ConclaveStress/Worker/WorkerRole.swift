/// What a worker does; the index counts from 0 within its kind.
package enum WorkerRole: Hashable, Sendable {
  case publisher(Int)
  case subscriber(Int)
  /// Copies the ring into the topic files, and nothing else.
  case mirror

  var name: String {
    switch self {
    case .publisher(let index): "publisher \(index)"
    case .subscriber(let index): "subscriber \(index)"
    case .mirror: "the mirror"
    }
  }

  var isPublisher: Bool {
    if case .publisher = self { true } else { false }
  }

  var isSubscriber: Bool {
    if case .subscriber = self { true } else { false }
  }
}
