# SPDX-License-Identifier: GPL-2.0-only
# Manual pages of the tapset, from the comments in it:
#
#	## First sentence.
#	## argument: what it is
#	## More sentences.
#	function name:type (argument:type) ...
#
# usage: awk -v out=FOLDER -f man.awk FILE...    writes FOLDER/function::name.3stap and its like

function escape(text) {
	gsub(/\\/, "\\e", text)
	sub(/^[.']/, "\\\\\\&&", text)
	return text
}

# Functions of one name share a page; its head comes from the first.
function page(kind, name, synopsis,    file, i, m) {
	file = out "/" kind "::" name ".3stap"
	if (!(file in seen)) {
		printf ".TH \"%s::%s\" 3stap \"\" \"Spile\" \"%s\"\n", toupper(kind), name, title > file
		printf ".SH NAME\n%s::%s \\- %s\n", kind, name, escape(first) > file
		print ".SH SYNOPSIS" > file
		seen[file] = 1
		files[++count] = file
	}
	printf ".nf\n%s\n.fi\n", escape(synopsis) > file
	body = ""
	for (i = 1; i <= arguments; i++)
		body = body ".TP\n.I " argument[i] "\n" escape(meaning[i]) "\n"
	rest[file] = rest[file] ".SH DESCRIPTION\n.B " escape(synopsis) "\n.PP\n" escape(first) "\n" \
		(more == "" ? "" : ".PP\n" more) body
}

FNR == 1 { title = ""; arguments = 0; first = more = "" }
FNR == 2 && /^# / { title = substr($0, 3) }

/^##/ {
	text = substr($0, 4)
	if (match(text, /^[a-z_0-9]+: /)) {
		argument[++arguments] = substr(text, 1, RLENGTH - 2)
		meaning[arguments] = substr(text, RLENGTH + 1)
	} else if (first == "") {
		first = text
	} else {
		more = more escape(text) "\n"
	}
	next
}

/^(function|probe|@define) / && first != "" {
	kind = $1 == "@define" ? "macro" : $1
	text = $0
	sub(/^[a-z@]+ /, "", text)
	name = text
	sub(/[ (:=+].*/, "", name)
	sub(/ *([{]|%[{(]).*/, "", text)
	if (kind == "probe")
		text = name
	sub(/ \(/, "(", text)
	page(kind, name, text)
}

{ arguments = 0; first = more = "" }

END {
	for (i = 1; i <= count; i++) {
		printf "%s.SH SEE ALSO\nspile(1)\n", rest[files[i]] > files[i]
		close(files[i])
	}
	print count " pages"
}
