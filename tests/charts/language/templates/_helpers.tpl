{{- define "language.deep" -}}
[{{ tpl .value .root }}]
{{- end -}}
{{ define "plain" }}
  plain {{ . }}
{{ end }}
{{- define "language.args" -}}
{{- $root := index . 0 }}{{ $rest := rest . -}}
{{ $root.Release.Name }}:{{ join "," $rest }}
{{- end -}}
{{- define "language.recursive" -}}
{{- if gt (int .depth) 0 }}{{ .depth }}({{ include "language.recursive" (dict "depth" (sub .depth 1)) }}){{ else }}.{{ end -}}
{{- end -}}
{{- define "language.mutate" -}}
{{- $_ := set . "seen" (add1 (.seen | default 0)) -}}
{{- end -}}
{{- define "language.bool" -}}
{{- if .flag }}true{{ end }}
{{- end -}}
