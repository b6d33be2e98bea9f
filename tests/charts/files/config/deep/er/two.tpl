deeper {{ .Values.who }}
