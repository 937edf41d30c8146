# Tools with each other. Runs in an empty directory of its own.
printf 'b 2\na 10\nc 1\n' > t
sort t; sort -k2 -n t; sort -r t | head -1; sort -k2,2nr t | cut -d' ' -f1 | tr '\n' ','; echo
grep -n a t; grep -c . t; grep -v a t | wc -l; grep -q zz t || echo none
sed -n '2p' t; sed 's/\([a-z]\) \(.*\)/\2 \1/' t; sed -e '/a/d' -e 's/b/B/' t
sed -i 's/c/C/' t; tail -n 1 t; tail -n +2 t | head -n 1
printf 'x\nx\ny\n' | uniq -c | sed 's/^ *//'
mkdir -p p/q/r; echo 1 > p/one; echo 22 > p/q/two; cp -r p copy; find copy -type f | sort
find p -name 't*'; find . -name one | sort; find p -type d | wc -l
mv copy moved; ls moved; rm -r moved; test -e moved || echo gone
rm nosuch 2>/dev/null; echo $?; rm -f nosuch; echo $?
tar cf a.tar p; mkdir x; tar xf a.tar -C x; cat x/p/q/two; tar tf a.tar | grep one
tar czf a.tgz p; tar tzf a.tgz | wc -l; tar cf - p | (mkdir y && cd y && tar xf -); cat y/p/one
gzip -c t | gunzip; cp t g; gzip g; ls g*; gunzip g.gz; cmp=$(diff t g && echo same); echo $cmp
echo hello | base64; echo aGVsbG8K | base64 -d
echo hello | sha256sum | cut -c1-16; echo hello | md5sum | cut -d' ' -f1
md5sum t > sums; md5sum -c sums
printf 'a\nb\nc\n' > d1; printf 'a\nB\nc\n' > d2; diff d1 d2; echo $?
echo a b c | xargs -n 1 echo item; printf 'p q\n' | xargs -I{} echo '[{}]'
find p -type f -exec cat {} \; | sort; find p -type f | xargs cat | wc -l
date -u -d @0 +%Y-%m-%dT%H:%M:%SZ; basename /a/b.c .c; dirname /a/b
expr 3 + 4; expr abc : 'a\(.\)'; seq -s, 1 2 7
echo tee | tee f1 > f2; cat f1 f2
head -c 3 t | od -An -c | tr -s ' '; printf 'AB' | hexdump -C | head -n 1
ln -s t link; cat link | wc -l; readlink link; test -L link && echo islink
env -i A=1 B=2 env | sort; env A=x sh -c 'echo $A'; A=y sh -c 'echo $A'
export C=z; sh -c 'echo $C'; unset C; sh -c 'echo ${C-unset}'
stat -c '%s %n' t; du -s p >/dev/null && echo du; echo abc | wc -c
[ -d p ] && [ -f t ] && [ ! -e zz ] && echo tests
printf '%s,' $(seq 3); echo; nl=$(printf 'a\nb'); echo "$nl"
find p -type f -exec cat {} \; > found; sort found; env echo into > via; cat via; echo a | xargs echo > got 2>&1; cat got; env cat < got
touch -d 2020-01-02 old; date -u -r old +%F; which sh >/dev/null && echo found
