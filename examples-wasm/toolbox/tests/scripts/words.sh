# Quoting, parameters, arithmetic, substitution, splitting, patterns.
x='a  b'; y="c d"; empty=
echo $x "$x" '$x' "\$x" \$x "a\"b" 'it'"'"'s'
echo "${x}z" ${undefined-u} ${empty:-v} "${empty-w}" ${x:+set} "${#x}" ${empty:=now} $empty
path=/usr/lib/x.tar.gz
echo ${path##*/} ${path%/*} ${path#*/} ${path%%.*} "${path##*.}"
echo $((1 + 2 * 3)) $(( (1 + 2) * 3 )) $((7 / 2)) $((7 % 3)) $((1 << 4)) $((5 > 3 && 2 > 1)) $((x_n = 4)) $x_n $((-7 / 2)) $((0x10))
n=5; echo $((n * n)) $(($n + 1)) $((n > 3 ? 10 : 20))
echo $(echo nested $(echo deep)) `echo back \`echo quoted\``
echo "a$(printf 'x\n\n\n')b"
set -- one "two words" three
echo $# "$1" "$2" $*
for a in "$@"; do echo "<$a>"; done
for a in $*; do echo "[$a]"; done
echo "$*"; IFS=:; echo "$*"; v=a:b::c; set -- $v; echo $#; unset IFS
set --; echo $# "$@" end; for a in "$@"; do echo never; done
HOME=/home/me; echo ~ ~/x "~"
case abc in a?c) echo one;; *) echo other;; esac
case '*' in '*') echo star;; esac
case x in a|b|x) echo alt;; esac
case abc in [!x]*) echo not;; esac
echo a\
b
echo "line one
line two"
a=1 b=2; a=$b b=$a; echo $a $b
echo ${undefined:-$(echo default)} "${undefined:-"quoted"}" ${path%"${path##*.}"}
echo "$((2+3))$((4))" 'single $((1))'
printf '%s\n' "a b" c; printf '[%5s|%-5s|%03d]\n' ab cd 7
