# Pipelines, redirections, here-documents. Runs in an empty directory of its own.
echo one two | tr a-z A-Z | cat
printf '3\n1\n2\n' | sort | head -n 2
seq 10 | while read n; do [ $n = 4 ] && break; echo "n$n"; done
echo file > out; cat out; echo more >> out; wc -l < out
cat < out | grep more
ls nosuchfile 2> err; test -s err && echo said
ls nosuchfile > both 2>&1; test -s both && echo both
{ echo a; echo b >&2; } > o 2> e; cat o e
{ echo a; cat out; echo z; } > group; cat group
exec 3> three; echo to three >&3; exec 3>&-; cat three
exec 4< out; read a <&4; read b <&4; echo "$b/$a"; exec 4<&-
cat <<EOF
hello $((1+1)) $(echo sub) \$x `echo back`
EOF
cat <<'EOF'
hello $x $(no)
EOF
cat <<-EOF
	tabs
	are gone
	EOF
cat <<A; cat <<B
first
A
second
B
while read x y; do echo "$y $x"; done <<EOF
a b
c d e
EOF
cat <<EOF | tr a-z A-Z
through a pipe
EOF
if true; then cat <<EOF
inside
EOF
fi
f() { cat <<EOF
in a function: $1
EOF
}
f x; f y | cat
{ cat <<EOF; } | cat -n
numbered
EOF
for i in 1 2 3; do echo $i; done | { read first; echo "first $first"; cat; }
echo x | (cat; echo sub) | cat
false | true; echo $?; true | false; echo $?
! true | false; echo $?
echo "a:b" | { IFS=: read x y; echo $y $x; }
echo '  lead trail  ' | { read x; echo "[$x]"; }
printf 'back\\slash\n' | { read -r x; echo "$x"; }
x=$(cat out | wc -l); echo $x
yes | head -n 2
(echo out; echo err >&2) 2>&1 | sort
(echo out; echo err >&2) 2>/dev/null
echo swapped 3>&1 1>&2 2>&3 3>&- | cat
echo "kept" > "name with space"; cat "name with space"; ls *space
touch a1 a2 b1 .hidden; echo a* ?1 [ab]2 none*; echo .h*
mkdir d; cd d; pwd | sed 's|.*/||'; touch in; ls; cd ..; ls d/*
echo $(ls d) "$(cd d && pwd | sed 's|.*/||')"
echo over > clobber; (set -C; echo no > clobber) 2>/dev/null; cat clobber
v=outer; echo | { v=inner; }; echo $v
read line < out; echo "$line"
: > empty; wc -c < empty
tr x y < /dev/null; cat /dev/null
