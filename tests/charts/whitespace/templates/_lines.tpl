{{/* nothing but a definition */}}
{{- define "ws.lines" }}
line
{{ end -}}
