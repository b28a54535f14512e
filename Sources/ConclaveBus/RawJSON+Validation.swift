extension RawJSON {
  static func validate(_ bytes: RawSpan) throws(BusError) {}
}
