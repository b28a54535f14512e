/// `1 task`, `2 tasks`.
///
/// - Parameter plural: for nouns that take more than an s.
package func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
  "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}
