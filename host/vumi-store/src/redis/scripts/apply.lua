-- Makes a change of collections: all steps if all guards hold, else nothing. KEYS: every key of the change. ARGV: number
-- of guards, guards, number of steps, steps, as src/flat.rs writes them.
-- Answers false when a guard does not hold; else one text a step: "d" done, "n" and a number, "v" and a value, "-" no value.
--
-- Redis does not take back what a script did before it failed. So it is looked first whether each step will find the kind
-- of key that it needs. That cannot always be told: a step that removes may empty a collection, and the key is free then.
-- In that case the keys are copied before, and put back if it turns out so.

local WRONGTYPE = redis.error_reply('WRONGTYPE Operation against a key holding the wrong kind of value')
local CHUNK = 1000

local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end

local function take_many()
  local values = {}
  for n = 1, tonumber(take()) do
    values[n] = take()
  end
  return values
end

-- An optional text: false when absent, as Redis answers.
local function take_optional()
  return take() == '1' and take()
end

local known = {}
local function kind(key)
  if not known[key] then
    known[key] = redis.call('TYPE', key).ok
  end
  return known[key]
end

-- Guards: each reads its operands and answers true, false, or an error.

local function look(key, wanted, ...)
  local is = kind(key)
  if is == 'none' then
    return false
  elseif is ~= wanted then
    return WRONGTYPE
  end
  return redis.call(...)
end

local lengths = {list = 'LLEN', set = 'SCARD', zset = 'ZCARD', hash = 'HLEN'}

local guards = {
  exists = function(key) return kind(key) ~= 'none' end,
  absent = function(key) return kind(key) == 'none' end,
  text_is = function(key)
    local value = take_optional()
    local is = look(key, 'string', 'GET', key)
    return is == WRONGTYPE and is or is == value
  end,
  field_is = function(key)
    local field = take()
    local value = take_optional()
    local is = look(key, 'hash', 'HGET', key, field)
    return is == WRONGTYPE and is or is == value
  end,
  has = function(key)
    local is = look(key, 'set', 'SISMEMBER', key, take())
    return is == WRONGTYPE and is or is == 1
  end,
  has_not = function(key)
    local is = look(key, 'set', 'SISMEMBER', key, take())
    return is == WRONGTYPE and is or is ~= 1
  end,
  below = function(key)
    local bound = tonumber(take())
    local is = kind(key)
    if is == 'none' then
      return bound > 0
    elseif not lengths[is] then
      return WRONGTYPE
    end
    return redis.call(lengths[is], key) < bound
  end,
  head_is = function(key)
    local value = take_optional()
    local is = look(key, 'list', 'LINDEX', key, 0)
    return is == WRONGTYPE and is or is == value
  end,
  tail_is = function(key)
    local value = take_optional()
    local is = look(key, 'list', 'LINDEX', key, -1)
    return is == WRONGTYPE and is or is == value
  end,
}

for _ = 1, tonumber(take()) do
  local holds = guards[take()](take())
  if holds == WRONGTYPE then
    return WRONGTYPE
  elseif not holds then
    return false
  end
end

-- Steps: how operands are read, which kind of key is needed, whether it is made or may be emptied.

local ONE, MANY, NONE = 1, 2, 3
local kinds = {
  set_text = {take = ONE},
  delete = {take = MANY},
  expire = {take = ONE},
  hash_set = {take = MANY, needs = 'hash', makes = true},
  hash_remove = {take = MANY, needs = 'hash'},
  set_add = {take = MANY, needs = 'set', makes = true},
  set_remove = {take = MANY, needs = 'set'},
  set_pop = {take = NONE, needs = 'set'},
  push_head = {take = MANY, needs = 'list', makes = true},
  push_tail = {take = MANY, needs = 'list', makes = true},
  pop_head = {take = NONE, needs = 'list'},
  pop_tail = {take = NONE, needs = 'list'},
  list_remove = {take = ONE, needs = 'list'},
  sorted_add = {take = 0, needs = 'zset', makes = true},
  sorted_remove = {take = MANY, needs = 'zset'},
}

local steps = {}
for n = 1, tonumber(take()) do
  local name, key = take(), take()
  local how = kinds[name]
  local values = {}
  if how.take == MANY then
    values = take_many()
  elseif how.take == ONE then
    values[1] = take()
  elseif how.take == 0 then
    values[1] = take()
    values[2] = take()
  end
  steps[n] = {name = name, how = how, key = key, values = values}
end

local will, emptied, unsure = {}, {}, false
for _, step in ipairs(steps) do
  local key, how = step.key, step.how
  if step.name == 'set_text' then
    will[key], emptied[key] = 'string', nil
  elseif step.name == 'delete' then
    for _, gone in ipairs(step.values) do
      will[gone], emptied[gone] = 'none', nil
    end
  elseif how.needs then
    local is = will[key] or kind(key)
    if is ~= 'none' and is ~= how.needs then
      if not emptied[key] then
        return WRONGTYPE
      end
      unsure = true
      break
    elseif how.makes and #step.values > 0 then
      will[key], emptied[key] = how.needs, nil
    elseif not how.makes then
      emptied[key] = true
    end
  end
end

local copies = {}
if unsure then
  for _, key in ipairs(KEYS) do
    copies[key] = {redis.call('DUMP', key), redis.call('PTTL', key)}
  end
end

local function put_back()
  for key, copy in pairs(copies) do
    redis.call('DEL', key)
    if copy[1] then
      redis.call('RESTORE', key, copy[2] < 0 and 0 or math.max(copy[2], 1), copy[1])
    end
  end
end

-- Calls a command with many operands, so many at a time as Lua can pass; the sum of the answers.
local function each(command, key, values)
  local sum = 0
  for from = 1, #values, CHUNK do
    local answer = redis.pcall(command, key, unpack(values, from, math.min(from + CHUNK - 1, #values)))
    if type(answer) == 'table' then
      return answer
    end
    sum = sum + answer
  end
  return sum
end

local function push(command, key, values)
  local answer = each(command, key, values)
  if type(answer) == 'table' then
    return answer
  end
  return redis.pcall('LLEN', key)
end

-- A collection that must be one of a kind even if there is nothing to do with it.
local function nothing(step)
  local is = redis.call('TYPE', step.key).ok
  if is ~= 'none' and is ~= step.how.needs then
    return WRONGTYPE
  end
  if step.name == 'push_head' or step.name == 'push_tail' then
    return redis.call('LLEN', step.key)
  end
  return 0
end

local run = {
  set_text = function(step) return redis.pcall('SET', step.key, step.values[1]) end,
  delete = function(step)
    local gone = 0
    for _, key in ipairs(step.values) do
      local answer = redis.pcall('DEL', key)
      if type(answer) == 'table' then
        return answer
      end
      gone = gone + answer
    end
    return gone
  end,
  expire = function(step) return redis.pcall('PEXPIRE', step.key, step.values[1]) end,
  hash_set = function(step) return each('HSET', step.key, step.values) end,
  hash_remove = function(step) return each('HDEL', step.key, step.values) end,
  set_add = function(step) return each('SADD', step.key, step.values) end,
  set_remove = function(step) return each('SREM', step.key, step.values) end,
  set_pop = function(step) return redis.pcall('SPOP', step.key), true end,
  push_head = function(step) return push('LPUSH', step.key, step.values) end,
  push_tail = function(step) return push('RPUSH', step.key, step.values) end,
  pop_head = function(step) return redis.pcall('LPOP', step.key), true end,
  pop_tail = function(step) return redis.pcall('RPOP', step.key), true end,
  list_remove = function(step) return redis.pcall('LREM', step.key, 0, step.values[1]) end,
  sorted_add = function(step) return redis.pcall('ZADD', step.key, step.values[2], step.values[1]) end,
  sorted_remove = function(step) return each('ZREM', step.key, step.values) end,
}

local answers = {}
for n, step in ipairs(steps) do
  local answer, value
  if step.how.needs and step.how.take == MANY and #step.values == 0 then
    answer = nothing(step)
  else
    answer, value = run[step.name](step)
  end
  if type(answer) == 'table' and answer.err then
    put_back()
    return answer
  elseif value then
    answers[n] = answer and ('v' .. answer) or '-'
  elseif type(answer) == 'table' then
    answers[n] = 'd'
  else
    answers[n] = 'n' .. string.format('%.0f', answer)
  end
end
return answers
