-- What the scripts about counters share; stands before each of them.

-- The text as a number if Redis would count with it, else nil.
local function whole(text)
  if text == '0' or (string.match(text, '^%-?[1-9]%d*$') and string.len(text) <= 20) then
    return tonumber(text)
  end
end

-- One fewer, not below zero. A counter that is gone or holds no number is left alone: a foreign hand was there.
local function lower(counter)
  local text = redis.pcall('GET', counter)
  local number = type(text) == 'string' and whole(text)
  if not number then
    return
  end
  if number <= 1 then
    redis.call('SET', counter, '0')
  else
    redis.pcall('DECR', counter)
  end
end

-- One more, if the limits allow it (refused when n > soft and n >= hard): the new number as text; else a table, which is
-- the answer to give: an error, or {'many'}. A negative counter counts as none.
local function one_more(counter, soft, hard, keep)
  local text = redis.pcall('GET', counter)
  if type(text) == 'table' then
    return text
  end
  local number = 0
  if text then
    number = whole(text)
    if not number then
      return redis.error_reply('ERR value is not an integer or out of range')
    end
  end
  local n = math.max(number, 0) + 1
  if n > soft and n >= hard then
    return {'many'}
  end
  if not keep then
    return string.format('%.0f', n)
  end
  if number < 0 then
    redis.call('SET', counter, '1')
    return '1'
  end
  local more = redis.pcall('INCR', counter)
  if type(more) == 'table' then
    return more
  end
  return redis.call('GET', counter)
end

