/// What agents are asked, each for itself.
public struct ConsensusQuestion: Hashable, Sendable {
  /// A line, for people.
  public var title: String
  /// The whole of it, as Markdown with headings of the first level.
  public var text: String
  /// What the synthesis is to look like.
  public var form: String

  public init(title: String, text: String, form: String) {
    self.title = title
    self.text = text
    self.form = form
  }
}
