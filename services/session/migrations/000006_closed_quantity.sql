-- A venue may fill a close in part: what it has closed is booked, and quantity is the rest, which is closed again. Empty for none.
ALTER TABLE session.position ADD COLUMN closed_quantity text NOT NULL DEFAULT '';
