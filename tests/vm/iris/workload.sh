#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# In the machine: stops and starts the IRIS instance as irisowner, and sees to it that every process
# of exec.tsv has run and that its files are as a restart leaves them. Ends with 0 if all is well.
set -e
/usr/irissys/bin/irisinstall
: >/srv/iris/trace
chmod 666 /srv/iris/trace
probe user 1003 1003 1003 /usr/bin/iris stop IRIS quietly restart

grep -E '^(iris|irisstop|irisdb|iriswdimj|httpd)	' /srv/iris/exec.tsv | cut -f1,4 | sort >/srv/iris/wanted
sort /srv/iris/trace | cmp - /srv/iris/wanted
cmp /data/IRIS/iris.cpf /data/IRIS/_LastGood_.cpf
test ! -e /data/IRIS/_LastGood_.cpf_5275
test ! -e /data/IRIS/mgr/journal/20240908.002 -a -s /data/IRIS/mgr/journal/20240908.002z
test -s /data/IRIS/mgr/journal/20240908.003 -a -s /data/IRIS/mgr/IRIS.WIJ
