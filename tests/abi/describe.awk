# From a preprocessed storage.h (cc -E -dD -P) to a C file that says what it declares, in a form that
# two versions of the header can be compared by. Two parts, chosen by -v part=:
#   layout   one array per struct, field; its size is the number asked for plus one, so that the
#            assembler text (.size) tells the layout for any target without running anything
#   values   a program that prints every constant, and the text of every declaration

function squeeze(s) { gsub(/[ \t]+/, " ", s); gsub(/^ | $/, "", s); gsub(/ ?\* ?/, "*", s); return s }

function number(id, expr) { printf "char %s[(unsigned long)(%s) + 1] = {1};\n", id, expr }

function field(owner, name, text) {
    if (part == "layout") {
        number("at__" owner "__" name, "offsetof(struct " owner ", " name ")")
        number("of__" owner "__" name, "sizeof(((struct " owner " *)0)->" name ")")
    } else {
        printf "puts(\"field %s.%s: %s\");\n", owner, name, squeeze(text)
    }
}

function fields(owner, body,   parts, n, i, text, names, k, m, base, name) {
    n = split(body, parts, ";")
    for (i = 1; i < n; i++) {
        text = squeeze(parts[i])
        if (match(text, /\(\*[a-z_0-9]+\)/)) {
            field(owner, substr(text, RSTART + 2, RLENGTH - 3), text)
            continue
        }
        m = split(text, names, ",")
        base = names[1]
        sub(/[a-z_0-9]+(\[.*\])?$/, "", base)
        for (k = 1; k <= m; k++) {
            name = names[k]
            sub(/^ /, "", name)
            if (k == 1) name = substr(names[1], length(base) + 1)
            text = base name
            sub(/\[.*\]$/, "", name)
            field(owner, name, text)
        }
    }
}

/^#define SR_/ {
    name = $2
    if (name ~ /\(/) {
        sub(/\(.*/, "", name)
        match($0, /\([^)]*\)/)
        texts[++n_texts] = "macro " name substr($0, RSTART, RLENGTH)
    } else if (name ~ /_(EXPORT|EXTERN)$/) {
        texts[++n_texts] = "macro " name
    } else {
        constants[++n_constants] = name
    }
    next
}
/^#/ { next }
{ all = all " " $0 }

END {
    print "#include <strongroom/storage.h>"
    if (part == "values")
        print "#include <stdio.h>\nint main(void)\n{"
    rest = all
    while (match(rest, /struct sr_storage_[a-z_]+ *\{[^}]*\}/)) {
        one = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        owner = one
        sub(/^struct /, "", owner)
        sub(/ *\{.*/, "", owner)
        body = one
        sub(/^[^{]*\{/, "", body)
        sub(/\}$/, "", body)
        if (part == "layout")
            number("in__" owner, "sizeof(struct " owner ")")
        fields(owner, body)
    }
    if (part == "layout")
        exit
    rest = all
    while (match(rest, /enum *\{[^}]*\}/)) {
        one = substr(rest, RSTART + 5, RLENGTH - 6)
        rest = substr(rest, RSTART + RLENGTH)
        n = split(one, parts, ",")
        for (i = 1; i <= n; i++) {
            sub(/=.*/, "", parts[i])
            name = squeeze(parts[i])
            sub(/^\{ ?/, "", name)
            if (name ~ /^SR_/)
                constants[++n_constants] = name
        }
    }
    if (match(all, /typedef const struct sr_storage_plugin[^;]*;/))
        texts[++n_texts] = squeeze(substr(all, RSTART, RLENGTH))
    for (i = 1; i <= n_constants; i++)
        printf "(void)printf(\"const %s = %%llu of %%d\\n\", (unsigned long long)(%s), (int)sizeof(%s));\n", constants[i], constants[i], constants[i]
    for (i = 1; i <= n_texts; i++)
        printf "puts(\"%s\");\n", texts[i]
    print "return 0;\n}"
}
