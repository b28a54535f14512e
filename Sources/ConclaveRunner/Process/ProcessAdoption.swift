/// For commands: makes sure that nothing which a program starts can get away.
public enum ProcessAdoption {
  /// Makes this process the parent of all orphans among its descendants, for good. Whatever becomes
  /// its child that it has not started with ``ChildRun`` is then ended with the program that runs:
  /// call it only in a process that runs one program at a time, and nothing else.
  public static func begin() { ProcessFamily.adoptOrphans() }
}
