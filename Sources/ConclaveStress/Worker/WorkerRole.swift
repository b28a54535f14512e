/// What a worker does; the index counts from 0 within its kind.
package enum WorkerRole: Hashable, Sendable {
  case publisher(Int)
  case subscriber(Int)

  var name: String {
    switch self {
    case .publisher(let index): "publisher \(index)"
    case .subscriber(let index): "subscriber \(index)"
    }
  }

  var isPublisher: Bool {
    if case .publisher = self { true } else { false }
  }
}
