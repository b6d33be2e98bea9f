{{- define "nginx.name" -}}
{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "nginx.labels" -}}
app.kubernetes.io/name: nginx
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: web
{{- end }}

{{- define "nginx.configuration" -}}
server {
  listen {{ .Values.port }};
  root /usr/share/nginx/html;
  server_tokens off;
  location = /healthz {
    access_log off;
    return 200 "ok\n";
  }
{{- with .Values.extraConfiguration }}
{{ . | trim | indent 2 }}
{{- end }}
}
{{ end }}
