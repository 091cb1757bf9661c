X=production
if [[ $X == prod* && $X != *test ]]; then echo prod; fi
[[ -n $X ]] && echo set
N=10
while [ $N -gt 7 ]; do N=$((N - 1)); done
echo $N
