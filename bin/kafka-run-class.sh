#!/bin/sh
# Runs the tool of this name from where this file really lies, also through a link.
self=$0
while [ -L "$self" ]; do
  target=$(readlink "$self")
  case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
  esac
done
home=$(cd "$(dirname "$self")/.." && pwd)
exec node "$home/dist/src/cli/kafka-run-class.js" "$@"
