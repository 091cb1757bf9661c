for i in 1 2 3
    app
done
if [ -x /usr/bin/app ]; then app; fi
cat <<EOF
hello
EOF
select x in a b; do echo $x; done
