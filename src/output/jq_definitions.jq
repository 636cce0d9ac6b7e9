# The two formats that users of gh rely on and jaq's own definitions lack.
def @csv:
  [.[] | if type == "string" then "\"" + (split("\"") | join("\"\"")) + "\""
         elif . == null then "" else tostring end] | join(",");
def @tsv:
  [.[] | if . == null then "" else tostring end
       | split("\\") | join("\\\\") | split("\t") | join("\\t")
       | split("\n") | join("\\n") | split("\r") | join("\\r")] | join("\t");
