# Lists, compounds, functions, exit codes.
true && echo and; false || echo or; ! false && echo not
false; echo $?; (exit 7); echo $?; { echo group; }; (echo sub)
if false; then echo no; elif true; then echo elif; else echo no; fi
i=0; while [ $i -lt 5 ]; do i=$((i+1)); [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done
until [ $i -ge 6 ]; do i=$((i+1)); done; echo $i
for i in 1 2; do for j in a b; do [ $j = b ] && continue 2; echo $i$j; done; done
for i in 1 2 3; do for j in a b; do [ $i = 2 ] && break 2; echo $i$j; done; done
f() { echo "f: $1 $#"; return 3; echo never; }
f x y; echo $?
g() { local v=inner; echo $v; }; v=outer; g; echo $v
fact() { if [ $1 -le 1 ]; then echo 1; else echo $(( $1 * $(fact $(($1 - 1))) )); fi; }
fact 5
h() { for a; do echo "h $a"; done; }; h 1 '2 3'
set -- a b c; shift; echo $1 $#; shift 2; echo $#
eval 'e=5; echo $e'; eval "echo \$e"
x=1; (x=2; echo $x); echo $x
y=$(x=3; echo $x); echo $y $x
unset x; echo "${x-gone}"
nosuchcommand 2>/dev/null; echo $?
sh -c 'echo $0 $1; exit 4' zero one; echo $?
sh -c 'set -e; false; echo never'; echo $?
sh -c 'set -e; false || true; if false; then :; fi; ! true; echo here; (exit 2); echo never'; echo $?
sh -c 'set -u; echo ${a:-ok}; echo $b; echo never' 2>/dev/null; echo $?
sh -c 'trap "echo bye" EXIT; echo hi; exit 3'; echo $?
sh -c 'readonly r=1; r=2; echo never' 2>/dev/null; echo $?
set -f; echo *; set +f
k() { return; }; false; k; echo $?
case a in a) false;; esac; echo $?
case a in b) false;; esac; echo $?
for i in; do :; done; echo $?
{ echo one; false; } && echo no || echo yes
test -n "" || echo empty; [ 1 -eq 1 -a 2 -gt 1 ] && echo both
command -v cd; type f >/dev/null && echo known
while :; do break; done; echo $?
true & wait $!; echo $?; (exit 9) & wait $!; echo $?
while getopts ab:c o -a -b val -c rest; do echo "$o ${OPTARG-}"; done; echo $OPTIND
