import Glibc

/// Ends the process, which libFuzzer takes for a find, unless `isGood`.
func require(_ isGood: @autoclosure () -> Bool, _ what: @autoclosure () -> String) {
  if isGood() { return }
  print("FAULT \(what())")
  fflush(nil)
  abort()
}

/// The input of a libFuzzer target.
func bytes(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
  unsafe Array(UnsafeBufferPointer(start: start, count: count))
}
