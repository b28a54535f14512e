# Writes what herd7 is to run of one litmus test into `place`: each form of it as it is, and with
# one order weakened at a time. Prints a line for each: id, test, place in the code, its order, and
# what became of that. See check.
#
# Forms of AArch64: `lse` is what the file says; `pairs` has exclusive pairs for each instruction
# that reads and writes; `rcpc` has LDAPR for what is acquired, as from ARMv8.3 on.

FNR == 1 { arch = $1; test = $2; count = 0 }
FNR > 1 { line[++count] = $0 }
END {
  if (arch == "C") {
    variants("rc11")
  } else {
    variants("lse")
    if (has("(CAS|LDADD|SWP)")) variants("pairs")
    if (has("LDAR.* acquire \\*\\)$")) variants("rcpc")
  }
}

function has(what, i) {
  for (i = 1; i <= count; i++) if (line[i] ~ what) return 1
  return 0
}

function variants(form, i, order) {
  write(form, 0, "none", "none", "none")
  for (i = 1; i <= count; i++) {
    order = order_of(line[i])
    if (orders_in(line[i]) != (order != "")) refuse(line[i])
    if (order == "") continue
    if (order == "seq_cst") weaken(form, i, order, "acq_rel")
    weaken(form, i, order, "relaxed")
  }
}

# The order of a line that names the places in the code that it stands for, or nothing.
function order_of(text, word) {
  if (arch == "C") {
    if (text !~ /\/\/ [a-z_]+:[a-z_]+$/) return ""
    match(text, /memory_order_[a-z_]+/)
    return substr(text, RSTART + 13, RLENGTH - 13)
  }
  if (text !~ /\(\* [a-z_]+:[a-z_]+ [a-z_]+ \*\)$/) return ""
  split(text, word, /\(\* | \*\)/)
  sub(/^[^ ]+ /, "", word[2])
  return word[2]
}

# Each line has one order at most, so that it can say what it stands for.
function orders_in(text) {
  if (arch == "C") {
    gsub(/memory_order_relaxed/, "", text)
    return gsub(/memory_order_/, "", text)
  }
  sub(/\(\*.*$/, "", text)
  return gsub(/DMB |LDAR |STLR |(CAS|LDADD|SWP)AL /, "", text)
}

function refuse(text) {
  print FILENAME ": one order a line, which says what it stands for: " text > "/dev/stderr"
  exit 2
}

function place_of(text) {
  match(text, /[a-z_]+:[a-z_]+/)
  return substr(text, RSTART, RLENGTH)
}

function weaken(form, i, order, step, whole, text) {
  whole = line[i]
  text = arch == "C" ? weaker_c(i, step) : weaker_instruction(form, whole, step)
  if (text == whole) return
  line[i] = text
  write(form, i, place_of(whole), order, step)
  line[i] = whole
}

function weaker_c(i, step, text, call, to) {
  text = line[i]
  if (text ~ /atomic_thread_fence/ && step == "relaxed") return ""
  # The order may stand some lines below.
  for (call = i; line[call] !~ /atomic_[a-z_]+\(/;) call--
  to = step
  if (step == "acq_rel" && line[call] ~ /_load_/) to = "acquire"
  if (step == "acq_rel" && line[call] ~ /_store_/) to = "release"
  sub(/memory_order_[a-z_]+/, "memory_order_" to, text)
  return text
}

function weaker_instruction(form, text, step) {
  if (step == "acq_rel") {
    if (form == "rcpc") sub(/LDAR/, "LDAPR", text)
    return text
  }
  if (!sub(/DMB ISHLD|DMB ISH/, "", text) && !sub(/STLR/, "STR", text)) {
    if (!sub(/LDAR/, "LDR", text)) sub(/AL X/, " X", text)
  }
  return text
}

function write(form, i, place_in_code, order, step, id, file, k, text) {
  id = form "-" test "-" i "-" step
  file = place "/" id ".litmus"
  print arch, id > file
  pairs = 0
  succeeded = ""
  for (k = 1; k <= count; k++) {
    text = line[k]
    if (form == "rcpc" && text ~ /acquire \*\)$/) sub(/LDAR/, "LDAPR", text)
    if (form == "pairs" && text ~ /^exists /) text = "exists (" succeeded substr(text, 8) ")"
    if (form == "pairs" && text ~ /(CAS|LDADD|SWP)(AL)? /) print_pairs(text, file)
    else print text > file
  }
  close(file)
  print id, test, place_in_code, order, step
}

# A row that becomes two or three, each cell with as many of them as it needs.
function print_pairs(text, file, cells, cell, steps, most, c, k, row) {
  sub(/ *;.*$/, "", text)
  cells = split(text, cell, "|")
  most = 1
  for (c = 1; c <= cells; c++) {
    steps = pairs_of(cell[c], c)
    if (steps > most) most = steps
  }
  for (k = 1; k <= most; k++) {
    row = pair[1, k]
    for (c = 2; c <= cells; c++) row = row "|" pair[c, k]
    print row ";" > file
  }
}

# Who fails tries again, so only those count that succeed: then register 20, or 21 ..., is 0.
function pairs_of(text, c, word, status, l, s) {
  pair[c, 1] = text; pair[c, 2] = pair[c, 3] = " "
  sub(/^ +/, "", text)
  if (text !~ /^(CAS|LDADD|SWP)/) return 1
  split(text, word, /[ ,]+/)
  status = 20 + pairs++
  succeeded = succeeded (c - 1) ":X" status "=0 /\\ "
  l = word[1] ~ /AL$/ ? "LDAXR " : "LDXR "
  s = (word[1] ~ /AL$/ ? "STLXR W" : "STXR W") status ","
  if (word[1] ~ /^CAS/) {
    pair[c, 1] = l word[2] "," word[4]; pair[c, 2] = s word[3] "," word[4]
    return 2
  }
  pair[c, 1] = l word[3] "," word[4]
  if (word[1] ~ /^SWP/) {
    pair[c, 2] = s word[2] "," word[4]
    return 2
  }
  pair[c, 2] = "ADD X19," word[3] "," word[2]; pair[c, 3] = s "X19," word[4]
  return 3
}
