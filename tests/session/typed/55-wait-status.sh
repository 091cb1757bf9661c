app & A=$!
fails & B=$!
wait $A; echo "app: $?"
wait $B; echo "fails: $?"
