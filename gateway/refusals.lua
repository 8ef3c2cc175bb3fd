-- Completes refusals that Envoy makes itself: a token that nobody holds is told 401 first,
-- and a 400 names the field and the rejected value in `validation`.
--
-- envoy.yaml marks such a reply (local_reply_config) with headers that never leave the gateway:
--   x-error-path   path and query of the request
--   x-error-token  its authorization, where it has one
--   x-error-id     the id of the request
--   x-error-why    what a route found wrong, and x-error-value with it; without them the body
--                  is what the transcoder says, which must not go out as it is
-- So everything here runs guarded: after a failure of ours the fixed words go out.

local LONGEST = 200      -- characters of the caller's own that are echoed, as in the service
local PATIENCE = 2000    -- milliseconds for the service to say whether it knows a token
local UNAUTHENTICATED = "16"
local CHECK = "/wuts.gateway.v1.TokenService/CheckToken"

local TEXTS = {
  ["400"] = {"validation failed", "VALIDATION_ERROR"},
  ["401"] = {"missing or invalid token", "UNAUTHORIZED"},
}
local TYPES = {  -- the transcoder's names for what a field takes
  TYPE_BOOL = "must be true or false",
  TYPE_INT32 = "must be a whole number",
  TYPE_STRING = "must be a text",
}

-- Text ---------------------------------------------------------------------------------------

local function follows(byte)
  return byte ~= nil and byte >= 0x80 and byte < 0xC0
end

-- Gives the code point of the UTF-8 character at a place, and its length in bytes; no code point
-- for a byte that begins none.
local function character(text, at)
  local a, b, c, d = text:byte(at, at + 3)
  if a < 0x80 then return a, 1 end
  if a >= 0xC2 and a < 0xE0 and follows(b) then return (a - 0xC0) * 0x40 + b - 0x80, 2 end
  if a >= 0xE0 and a < 0xF0 and follows(b) and follows(c) then
    local code = ((a - 0xE0) * 0x40 + b - 0x80) * 0x40 + c - 0x80
    if code >= 0x800 and (code < 0xD800 or code > 0xDFFF) then return code, 3 end
  end
  if a >= 0xF0 and a < 0xF5 and follows(b) and follows(c) and follows(d) then
    local code = (((a - 0xF0) * 0x40 + b - 0x80) * 0x40 + c - 0x80) * 0x40 + d - 0x80
    if code >= 0x10000 and code < 0x110000 then return code, 4 end
  end
  return nil, 1
end

local function is_utf8(text)
  local at = 1
  while at <= #text do
    local code, length = character(text, at)
    if not code then return false end
    at = at + length
  end
  return true
end

local function escaped(code)
  if code == 0x22 or code == 0x5C then return "\\" .. string.char(code) end
  if code >= 0x20 and code < 0x7F then return string.char(code) end
  if code < 0x10000 then return string.format("\\u%04x", code) end
  local rest = code - 0x10000
  return string.format("\\u%04x\\u%04x", 0xD800 + math.floor(rest / 0x400), 0xDC00 + rest % 0x400)
end

-- Writes a text as JSON, in ASCII and no longer than may be echoed.
local function quoted(text)
  local out, at, count = {}, 1, 0
  while at <= #text and count < LONGEST do
    local code, length = character(text, at)
    out[#out + 1] = escaped(code or 0xFFFD)
    at, count = at + length, count + 1
  end
  if at <= #text then out[#out + 1] = "\\u2026" end
  return '"' .. table.concat(out) .. '"'
end

-- Requests -----------------------------------------------------------------------------------

local function unescaped(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function is_escaped_utf8(text)
  local rest = text:gsub("%%%x%x", "")
  return not rest:find("%%") and is_utf8(unescaped(text))
end

-- Lists the parameters of a query in their order, as they were sent. Only values are ever
-- unescaped: the transcoder takes names as they are.
local function parameters(path)
  local found = {}
  for pair in (path:match("%?(.*)") or ""):gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    found[#found + 1] = {name = name, value = value}
  end
  return found
end

local function snake_case(name)
  return (name:gsub("%u", function(letter) return "_" .. letter:lower() end))
end

-- Gives the value of a parameter in either spelling; the last one where it comes more than once.
local function value_of(path, name)
  local value = ""
  for _, each in ipairs(parameters(path)) do
    if snake_case(each.name) == snake_case(name) then value = unescaped(each.value) end
  end
  return value
end

-- What is wrong: each gives field, message and rejected value ---------------------------------

local UNKNOWN = "is no parameter of this route"

-- Finds the parameter that the transcoder calls by the part of its name before a dot.
local function unknown_parameter(path, part)
  for _, each in ipairs(parameters(path)) do
    if each.name == part or each.name:sub(1, #part + 1) == part .. "." then
      return each.name, UNKNOWN, value_of(path, each.name)
    end
  end
  return part, UNKNOWN, ""
end

-- Reads what the transcoder says of a value. The value may be long and hold these very words, so
-- nothing here looks at the text more than once from end to end.
local function bad_value(words, path)
  local value, field = words:match('^The binding value "(.-)" of the field (%S+) is conflicting')
  if field then return field, "differs between body and query or path", value end
  field = words:match("^: invalid value oneof field '[%w_]+' is already set%. Cannot set '([%w_]+)'")
  if field then return field, "must not come twice", value_of(path, field) end
  local first, last = words:find(": invalid value ", 1, true)
  local kind = first and words:match(" for type ([%w_]+)$")
  if not kind then return nil end
  if not kind:find("^TYPE_") then return kind, "must be no object", "" end
  field = words:sub(1, first - 1):gsub("%[%d+%]$", "")   -- the index is not to be relied upon
  value = words:sub(last + 1, -#(" for type " .. kind) - 1)
  return field, TYPES[kind] or "has the wrong type", value:match('^"(.*)"$') or value
end

-- Reads what the transcoder says of the body.
local function bad_body(words)
  if words:find("^Message too deep") then return "body", "is nested too deeply", "" end
  if words:find("^: Proto field is not repeating") then
    return "body", "has a list where one value belongs", ""
  end
  local reason, near = words:match("^([^\n]-)%.?\n(.*)\n *%^$")
  if reason then return "body", "is no JSON: " .. reason, near end
  return "body", "must be a JSON object", ""
end

local function as_transcoded(words, path)
  local part = words:match('^Could not find field "(.*)" in the type')
    or words:match('^Encountered a non%-leaf field "(.*)" that is not a message')
  if part then return unknown_parameter(path, part) end
  local field, message, value = bad_value(words, path)
  if field then return field, message, value end
  return bad_body(words)
end

local WHY = {
  ["escape"] = function(path)
    for _, each in ipairs(parameters(path)) do
      if not is_escaped_utf8(each.name .. "=" .. each.value) then
        return each.name, "must be UTF-8, percent-encoded", each.value
      end
    end
    return "path", "must be UTF-8, percent-encoded", path:match("^[^?]*")
  end,
  ["device"] = function(path)
    for _, each in ipairs(parameters(path)) do
      if snake_case(each.name) == "device_id" then
        return each.name, "belongs into the path only", unescaped(each.value)
      end
      if each.name ~= "purge" then return each.name, UNKNOWN, unescaped(each.value) end
    end
    return "purge", "must come once, with a value", value_of(path, "purge")
  end,
  ["timeout"] = function(_, value)
    return "grpc-timeout", "must be 1 to 8 digits and one of H, M, S, m, u and n", value
  end,
}

-- Replies ------------------------------------------------------------------------------------

local function envelope(status, validation)
  local text, code = unpack(TEXTS[status])
  return string.format('{"success": false, "error": "%s", "error_code": "%s", "timestamp": "%s"%s}',
    text, code, os.date("!%Y-%m-%dT%H:%M:%SZ"), validation or "")
end

local function validation(field, message, value)
  return string.format(', "validation": [{"field": %s, "message": %s, "value": %s}]',
    quoted(field), quoted(message), quoted(value))
end

-- Asks the service; only its clear word counts, so that callers hear the refusal when it is down.
local function is_unknown(handle, token, id)
  if not token then return true end
  local answer = handle:httpCall("service", {
    [":method"] = "POST", [":path"] = CHECK, [":authority"] = "service",
    ["content-type"] = "application/grpc", ["te"] = "trailers", ["authorization"] = token,
    ["grpc-timeout"] = PATIENCE .. "m", ["x-request-id"] = id,
  }, "\0\0\0\0\0", PATIENCE)
  return answer["grpc-status"] == UNAUTHENTICATED
end

-- Gives the bytes of a body; the reply to a HEAD request has none.
local function text_of(body)
  return body and body:getBytes(0, body:length()) or ""
end

-- Gives the status that the reply must have, and its body where that is not what it was.
local function completed(handle, mark)
  local words = text_of(handle:body())   -- before anything that waits
  if is_unknown(handle, mark.token, mark.id) then return "401", envelope("401") end
  if mark.status ~= "400" then return mark.status end
  local why = WHY[mark.why]
  if why then return "400", envelope("400", validation(why(mark.path, mark.value or ""))) end
  if mark.transcoder then
    return "400", envelope("400", validation(as_transcoded(words, mark.path)))
  end
  return "400", envelope("400")
end

local function read_mark(headers)
  return {
    status = headers:get(":status"), path = headers:get("x-error-path"),
    token = headers:get("x-error-token"), id = headers:get("x-error-id"),
    why = headers:get("x-error-why"), value = headers:get("x-error-value"),
    transcoder = headers:get("x-error-transcoder"),
  }
end

function envoy_on_response(handle)
  local mark = read_mark(handle:headers())
  local fine, status, body = pcall(completed, handle, mark)
  if not fine then
    if mark.status ~= "400" then return end
    status, body = "400", envelope("400")
  end
  if not body then return end
  local old, headers = handle:body(), handle:headers()
  if old then old:setBytes(body) else headers:remove("content-length") end
  headers:replace("content-type", "application/json")
  if status == "401" then
    headers:replace(":status", status)
    headers:remove("allow")
  end
end
