import CShim
import Glibc

/// Opening, creating, replacing and removing segments.
enum RingSegment {
  /// How often a race with others who create or remove is run again before giving up.
  static let attempts = 1000

  /// Maps the segment for `role` and lets `join` claim a place in it.
  ///
  /// A segment that is missing is made, of this geometry; one of another version, boot or owner
  /// directory is replaced if nobody lives in it. Without a geometry both are errors. After the
  /// claim the name must still mean the same file: otherwise somebody removed it in between, and
  /// all begins anew.
  static func join(
    _ location: RingLocation, creating geometry: RingGeometry?, role: conclave_role,
    claim: (inout conclave_view) -> Int32, abandon: () -> Void
  ) throws(RingError) {
    for _ in 0..<attempts {
      guard var view = unsafe try map(location, creating: geometry, role: role) else { continue }
      let failure = unsafe claim(&view)
      // Asked first: who is gone by then has removed the name.
      let isLeaving =
        unsafe failure == EAGAIN
        && conclave_segment_is_being_removed(view.descriptor) != 0
      let isNamed =
        unsafe conclave_segment_is_named(location.directory, location.name, view.descriptor) != 0
      if failure == 0, isNamed { return }
      if failure == 0 { abandon() } else { unsafe conclave_view_unmap(&view) }
      if isLeaving {
        sched_yield()
      } else if isNamed {
        throw RingError(code: failure)
      }
    }
    throw .busy
  }

  /// One attempt to open or create; nil when it should be tried again.
  private static func map(
    _ location: RingLocation, creating geometry: RingGeometry?, role: conclave_role
  ) throws(RingError) -> conclave_view? {
    var descriptor: Int32 = -1
    var header = conclave_segment_header()
    let failure = open(location, role, &descriptor, &header)
    if failure == 0 {
      return try unsafe mapView(descriptor, header, role)
    }
    if failure == ENOENT, let geometry {
      try create(location, geometry)
      return nil
    }
    guard descriptor >= 0 else { throw RingError(code: failure) }
    defer { close(descriptor) }
    guard geometry != nil else { throw RingError(code: failure) }
    let removal = unsafe conclave_segment_remove(location.directory, location.name, descriptor)
    switch removal {
    case 0, ENOENT: break
    case EAGAIN: sched_yield()
    // In use; or another's, who alone can remove it.
    case EBUSY, EPERM, EACCES: throw RingError(code: failure)
    default: throw RingError(code: removal)
    }
    return nil
  }

  static func mapView(
    _ descriptor: Int32, _ header: conclave_segment_header, _ role: conclave_role
  ) throws(RingError) -> conclave_view {
    var view = unsafe conclave_view()
    let failure = unsafe withUnsafePointer(to: header) { header in
      unsafe conclave_view_map(&view, descriptor, header, role)
    }
    guard failure == 0 else {
      close(descriptor)
      throw RingError(code: failure)
    }
    return unsafe view
  }

  static func open(
    _ location: RingLocation, _ role: conclave_role, _ descriptor: inout Int32,
    _ header: inout conclave_segment_header
  ) -> Int32 {
    unsafe location.rights.withRaw { rights in
      unsafe conclave_segment_open(
        location.directory, location.name, location.owner, location.owner.utf8.count, rights, role,
        &descriptor, &header)
    }
  }

  private static func create(
    _ location: RingLocation, _ geometry: RingGeometry
  ) throws(RingError) {
    guard var raw = geometry.raw else { throw .impossibleGeometry }
    let failure = unsafe location.rights.withRaw { rights in
      unsafe conclave_segment_create(
        location.directory, location.name, location.owner, location.owner.utf8.count, rights, &raw)
    }
    switch Int(failure) {
    case 0, Int(EEXIST): return
    case CONCLAVE_E_GEOMETRY: throw .impossibleGeometry
    default: throw RingError(code: failure)
    }
  }
}

extension RingLocation {
  /// Removes a segment that nobody can join, being of another version, boot or owner directory or
  /// no segment at all, if nobody lives in it. Joining does that as well, but does not tell.
  ///
  /// - Returns: what was wrong with it; nil when it can be joined, when there is none, and when it
  ///   had to stay, which joining will say.
  public func removeUnusable() -> RingError.Mismatch? {
    var descriptor: Int32 = -1
    var header = conclave_segment_header()
    let failure = RingSegment.open(self, CONCLAVE_SUBSCRIBE, &descriptor, &header)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard case .incompatible(let mismatch) = RingError(code: failure),
      unsafe conclave_segment_remove(directory, name, descriptor) == 0
    else { return nil }
    return mismatch
  }

  /// Removes the segment if nobody lives in it.
  ///
  /// - Returns: whether there was one.
  /// - Throws: `busy`, `squatted`, `permissionDenied`, `system`.
  public func removeSegment() throws(RingError) -> Bool {
    for _ in 0..<RingSegment.attempts {
      if let removed = try removeOnce() { return removed }
      sched_yield()
    }
    throw .busy
  }

  /// nil while somebody else is about to remove it.
  private func removeOnce() throws(RingError) -> Bool? {
    var descriptor: Int32 = -1
    var header = conclave_segment_header()
    let failure = RingSegment.open(self, CONCLAVE_SUBSCRIBE, &descriptor, &header)
    if failure == ENOENT { return false }
    guard descriptor >= 0 else { throw RingError(code: failure) }
    defer { close(descriptor) }
    let removal = unsafe conclave_segment_remove(directory, name, descriptor)
    switch removal {
    case 0: return true
    case ENOENT: return false
    case EAGAIN: return nil
    default: throw RingError(code: removal)
    }
  }
}
