export LIMIT=16M
FOO=bar BAZ=1 app
sh -c 'echo "limit is $LIMIT"'
OTHER=x
bash -c 'echo "other is ${OTHER:-unset}"'
env MALLOC_ARENA_MAX=1 app
