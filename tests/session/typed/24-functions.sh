CG=/sys/fs/cgroup
setup() {
    local name=$1 limit=$2
    mkdir -p $CG/$name
    echo $limit > $CG/$name/memory.max
}
run_in() {
    local g=$1; shift
    cgexec -g memory:$g "$@"
}
cleanup() { rmdir $CG/$1 && echo "removed $1"; }
setup a 16M
setup b 32M
run_in a app & run_in b app &
wait
cat $CG/{a,b}/memory.max
cleanup a; cleanup b
