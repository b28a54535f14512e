/// Where in the topic files a reading of the log begins.
struct LogStart: Sendable {
  /// Places before it are left out.
  var position: UInt64 = 0
  /// Of each topic, what comes before its first message with this time or later is left out.
  var time: Timestamp?
  /// Left out as well, with all before it in its topic: a message that has no place in the log.
  var behind: (topic: Topic, id: MessageID)?
  /// Whether messages are delivered that have no place in the log, because a ``FileBus`` wrote
  /// them.
  var withForeign = true
  /// The streams that are to be read from their number 1 on.
  var whole = WholeStreams()
  /// What retention has removed of a topic before the reading comes to it, it was to have if that
  /// was published at this time or later.
  var owedSince = Timestamp(nanosecondsSinceEpoch: 0)
}
