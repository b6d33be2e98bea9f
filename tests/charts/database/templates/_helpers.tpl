{{- define "database.fullname" -}}{{ .Release.Name }}-{{ .Chart.Name }}{{- end -}}

{{- define "database.labels" -}}
{{- $component := .component | default "none" -}}
app: {{ .context.Chart.Name }}
release: {{ .context.Release.Name | quote }}
component: {{ $component }}
{{- end -}}

{{/* The password: given, or from the cluster, or drawn. */}}
{{- define "database.password" -}}
{{- $given := get .context.Values.auth .key -}}
{{- if $given -}}
{{- $given | b64enc | quote -}}
{{- else -}}
{{- $secret := (lookup "v1" "Secret" .context.Release.Namespace (include "database.fullname" .context)) | default dict -}}
{{- $data := (get $secret "data") | default dict -}}
{{- if hasKey $data .key -}}
{{- index $data .key | quote -}}
{{- else -}}
{{- randAlphaNum (.length | default 16 | int) | b64enc | quote -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "database.resources" -}}
{{- $presets := dict
  "nano" (dict "requests" (dict "cpu" "100m" "memory" "128Mi") "limits" (dict "cpu" "150m" "memory" "192Mi"))
  "small" (dict
      "requests" (dict "cpu" "500m" "memory" "512Mi" "ephemeral-storage" "50Mi")
      "limits" (dict "cpu" "750m" "memory" "768Mi" "ephemeral-storage" "2Gi")
   )
-}}
{{- if hasKey $presets .type -}}
{{- index $presets .type | toYaml -}}
{{- else -}}
{{- printf "ERROR: Preset key '%s' invalid. Allowed values are %s" .type (join "," (keys $presets | sortAlpha)) | fail -}}
{{- end -}}
{{- end -}}
