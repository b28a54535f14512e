# Lists the ordered atomics of C files: the file, the function, the order, and the code behind it.
# The mirror's get and set are sequentially consistent.

FNR == 1 { name = FILENAME; sub(/.*\//, "", name); statement = ""; deep = 0 }
{
  text = $0
  # Comments are not code.
  if (deep) {
    if (!sub(/^.*\*\//, "", text)) next
    deep = 0
  }
  gsub(/\/\*[^*]*\*\//, "", text)
  if (sub(/\/\*.*$/, "", text)) deep = 1
  if (text ~ /^[a-zA-Z_].*[a-z_]+\(/) {
    match(text, /[a-z_0-9]+\(/)
    function_name = substr(text, RSTART, RLENGTH - 1)
  }
  statement = statement " " text
  if (text !~ /[;{}]/) next
  count = split(statement, piece, /atomic_|[^a-z_>]get\(|[^a-z_>]set\(/)
  for (i = 2; i <= count; i++) {
    order = ""
    if (match(piece[i], /memory_order_[a-z_]+/)) {
      order = substr(piece[i], RSTART + 13, RLENGTH - 13)
    } else if (name == "mirror.c" && piece[i] ~ /^(&|wanted|synced \?)/) {
      order = "seq_cst"
    }
    if (order == "" || order == "relaxed") continue
    code = piece[i]
    gsub(/  +/, " ", code)
    print name, function_name, order, code
  }
  statement = ""
}
