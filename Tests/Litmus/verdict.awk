# Judges what herd7 has said. Reads the files `what` names: results (herd7's output), index (of
# variants.awk), words (the tests' own, on places in the code), code (of places.awk).

what == "results" && $1 == "Observation" { observed[$2] = $3; executions[$2] = $4 + $5 }
what == "index" {
  form = $1; sub(/-.*/, "", form)
  file = (form == "rc11" ? "C11/" : "AArch64/") $2
  if (!(file in order_of_files)) { order_of_files[file] = ++files; name[files] = file }
  judge($1, file, $3, $4, $5)
}
what == "words" && $2 == "as" { stands_for[$1] = $3 }
what == "words" && $1 == "kept" { sub(/:$/, "", $3); kept[$2 " " $3] = 1 }
what == "code" { code[++codes] = $0 }
END {
  for (i = 1; i <= files; i++) {
    file = name[i]
    printf "%-20s never in %d form%s; %d of %d variants noticed\n", file, sound[file],
      sound[file] == 1 ? "" : "s", noticed[file], variants[file]
    if (!noticed[file]) fail(file ": nothing is noticed, so it may be impossible anyway")
  }
  for (i = 1; i <= tries; i++) judge_change(try[i])
  for (change in kept) if (!(change in changes)) fail("kept, but never tried: " change)
  for (place in stands_for) {
    if (!(stands_for[place] in order_of)) fail("no test has " stands_for[place])
    order_of[place] = order_of[stands_for[place]]
  }
  for (place in order_of) if (place !~ /^kernel:/) look_up(place)
  for (i = 1; i <= codes; i++) if (!(i in reached)) print "no test comes to " code[i]
  printf "litmus: %d files, %d checks; %d variants, %d noticed; ", files, checks, tried, seen
  printf "%d of %d weakened orders noticed, %d kept\n", caught, weakened, left
  exit failures > 0
}

function fail(text) {
  print "NOT AS EXPECTED: " text
  failures++
}

# One run of herd7.
function judge(id, file, place, order, step) {
  if (!(id in observed) || executions[id] == 0) return fail(id ": herd7 has no answer")
  if (step == "none") {
    checks++
    sound[file]++
    if (observed[id] != "Never") fail(id ": what is forbidden happens")
    return
  }
  order_of[place] = order
  if (!((place " " step) in changes)) try[++tries] = place " " step
  changes[place " " step] += observed[id] != "Never"
  tried++
  variants[file]++
  if (observed[id] != "Never") { seen++; noticed[file]++ }
}

# A place and what its order was weakened to, over all tests.
function judge_change(change, word, other) {
  weakened++
  split(change, word, " ")
  other = word[1] in stands_for ? stands_for[word[1]] " " word[2] : change
  if (changes[change] + changes[other] > 0) {
    caught++
    if (change in kept) fail(change ": is noticed, though a test says why it is not")
  } else if (change in kept) {
    left++
    print "kept " change
  } else {
    fail(change ": not noticed")
  }
}

# The code must still say what the tests say of it.
function look_up(place, part, i, word, found) {
  split(place, part, ":")
  for (i = 1; i <= codes; i++) {
    split(code[i], word, " ")
    if (word[2] != part[1] || word[3] != order_of[place] || !index(code[i], part[2])) continue
    reached[i] = found = 1
  }
  if (!found) fail("the code has no " place " that is " order_of[place])
}
