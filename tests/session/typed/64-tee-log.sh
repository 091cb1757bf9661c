for i in 1 2; do echo "round $i"; done | tee /tmp/log
app 2>&1 | tee -a /tmp/app.log
echo a b | tr ' ' '\n' | sort -r | head -1
echo "x=1 y=2" | cut -d= -f2
