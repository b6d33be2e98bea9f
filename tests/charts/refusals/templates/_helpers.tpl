{{- define "refusals.outer" -}}
{{ include "refusals.middle" . }}
{{- end -}}
{{- define "refusals.middle" -}}
  {{ include "refusals.inner" . }}
{{- end -}}
{{- define "refusals.inner" -}}
{{ .Values.nope.deeper }}
{{- end -}}
{{- define "refusals.fails" -}}
{{ fail (printf "from a %s" "helper") }}
{{- end -}}
{{- define "refusals.forever" -}}{{ include "refusals.forever" . }}{{- end -}}
