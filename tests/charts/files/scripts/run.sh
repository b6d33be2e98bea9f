#!/bin/sh
echo "$1" | sed "s/a/b/" && true
